# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.3, quick: 0.4, long: 0.4, paper: 0.4}
#     needs: [ct-vertebra-tptbox, ct-totalsegmentator]
# ---
# %% [markdown]
# # From a CT to vertebrae
# *Every file has its own left, its own up and its own zero. How does a scan become vertebrae that may be compared?*
#
# The CT study {cite:p}`tpswav2025_ct` finds vertebrae by a program, cuts a box around each and gives it to a network. That is one
# sentence in print and most of the work in a hospital. A scan can be mirrored, its grey values can be shifted by a thousand, a
# slice can be lost, and a network that is fed with it will answer all the same.
#
# **You will** store one real vertebra in every possible orientation and get it back, number the vertebrae of a real trunk, cut
# them in three planes, read their density in Hounsfield units, and spoil a scan to hear what the reader says. Half a
# minute to run, fifteen to work through. There is no label here: two people, and nobody measured their bones.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
size: int = 48  # voxels along the side of a patch
spacing_mm: float = 1.5  # of its voxels
seed: int = 0  # nothing here is drawn by chance

# %% tags=["hide-input"]
import tempfile
from pathlib import Path

import numpy as np
import osteolib
from osteolib.report import ct_intake_page as page
from osteolib.report import ct_intake_rows as rows
from osteolib.report import load_or_explain, provenance

run = osteolib.start(globals(), "39_ct_intake")
one = load_or_explain(run, "ct-vertebra-tptbox")

# %% tags=["hide-input"]
trunk = load_or_explain(run, "ct-totalsegmentator")

# %% [markdown]
# ## One orientation, one unit
#
# A file stores an array and, in its header, two lines that give it a meaning. The first says where a voxel lies, in millimetres to
# the patient's right, front and head; the second turns stored numbers $s$ into Hounsfield units, on which water is 0 and air
# −1000 whatever the scanner:
#
# $$ \begin{pmatrix} x \\ y \\ z \end{pmatrix} = A \begin{pmatrix} i \\ j \\ k \end{pmatrix} + b , \qquad
# \mathrm{HU} = \text{slope} \cdot s + \text{intercept} = 1000\, \frac{\mu - \mu_\text{water}}{\mu_\text{water}} . $$
#
# The columns of $A$ may point anywhere: 6 orders of the axes times 8 signs make 48 ways to store one body. Here every volume is
# turned once, on entry, so that depth runs to the head, height to the front and width to the right.

# %%
from osteolib.volume import read_labels, read_volume, write_dicom_series

l3 = one.subjects.set_index("level").loc["L3"]
volume, labels = read_volume(l3["path"]), read_labels(l3["mask_path"])
with tempfile.TemporaryDirectory() as folder:
    ways, same = rows.stored_in_every_way(volume, Path(folder))
    write_dicom_series(volume, Path(folder) / "series")
    slices = read_volume(Path(folder) / "series")
print(volume)

# %% tags=["hide-input"]
page.show_ways(run, ways, same, np.array_equal(slices.voxels, volume.voxels))

# %% [markdown]
# ## Which vertebra is which?
#
# A segmentation numbers what it finds, each program in its own way. Version 2 of TotalSegmentator
# {cite:p}`wasserthal2023_totalsegmentator` counts the column from 26 (the first sacral vertebra) upwards, version 1 gave the
# same numbers to other bones. So the numbers come from the cohort's description, and the order along the body is checked: T12
# must lie above L1. Bones cannot tell left from right, but the liver can.

# %%
from osteolib.volume import find_vertebrae

first = trunk.subjects.iloc[0]
body, numbered = read_volume(first["path"]), read_labels(first["mask_path"])
numbers = dict(zip(trunk.subjects["level"], trunk.subjects["mask_label"], strict=True))
vertebrae = find_vertebrae(body, numbered, numbers)
liver = numbered.to_mm(np.argwhere(numbered.voxels == 5).mean(0))  # 5: the liver
right = liver[0] - vertebrae[-1].centre_mm[0]
print(f"the liver lies {right:.0f} mm to the right of L5")

# %% tags=["hide-input"]
page.show_spine(run, body, numbered, vertebrae)

# %% [markdown]
# The map was made by a program and corrected by nobody; its outlines follow voxels of 3 mm, two or three times the thickness of
# the cortex.
#
# ## Three planes
#
# The networks of this chapter see a vertebra as three slices at right angles, in the place of three colours ("2.5-D"), or as a
# whole cube. Where is its middle? Not in the middle of its box, which is the spinal canal. The body is the bulkiest part, so the
# voxels deepest inside the mask lie in it:
#
# $$ \text{core} = \{\, v : d(v) \ge 0.6 \max d \,\} , $$
#
# where $d(v)$ is the distance from a voxel $v$ to the surface of the mask.

# %%
from osteolib.screen.ct_images import vertebra_patch

scans = {"fine": one, "trunk": trunk}
whole = {f"{row['level']}, {who}": row for who, cohort in scans.items()
         for row in cohort.subjects.to_dict("records") if not row["problem"]}
patches = {name: vertebra_patch(row, size, spacing_mm) for name, row in whole.items()}

# %% tags=["hide-input"]
page.show_planes(run, patches)

# %% [markdown]
# ## How dense is the body?
#
# Screening on CTs made for another reason began with the mean HU in such a region of L1 {cite:p}`pickhardt2013`. Does our outline
# find it without a hand on the mouse? The finer scan comes with a second map of the vertebra's parts, which the outline
# never saw.

# %%
from osteolib.volume import LabelMap, body_core

regions = read_labels(l3["region_path"])
inside = (regions.voxels == 50) & (labels.voxels == l3["mask_label"])  # 50: the body
values = page.body_table(patches)
expert = float(volume.voxels[inside].mean())
core = body_core(labels.voxels == l3["mask_label"])
coarser = page.coarser_table(volume, LabelMap(core.astype("uint16"), labels.affine, ""))

# %% tags=["hide-input"]
page.show_body(run, values, expert, coarser, "L3, fine")

# %% [markdown]
# Two people and two scanners: nothing can be concluded from which of them is denser. HU also depend on tube voltage and kernel,
# and neither file says what they were.
#
# ## What a spoiled scan is told
#
# Copies of the fine scan, each spoiled in one way. A refusal should name the file, what is wrong with it, and what would help.

# %%
with tempfile.TemporaryDirectory() as folder:
    said = rows.refusals(volume, labels, {"L3": 22, "L2": 21}, Path(folder))

# %% tags=["hide-input"]
page.show_refusals(run, said)

# %% [markdown]
# Some faults leave no trace. Of a scan that was mirrored *together with* its mask nothing is told unless an organ is in the
# picture, and a series without its last slice looks like a shorter one.
#
# ```{admonition} Deviations of the intake
# :class: note dropdown
# - **Finding vertebrae.** The paper uses Med-Query, which gives boxes turned along each vertebra. No weights of it are at hand;
#   here a segmentation that comes with the scan is followed, and boxes lie along the body's axes. A tilted vertebra stays tilted.
# - **Size, spacing and window** of a patch are not printed. Here a cube around the body, and −200 to 800 HU.
# - **Exclusions.** Metal and failed identification are caught here. How poor image quality and fractures were found is not
#   said, and neither is looked for here.
# - **Neighbours stay** in the patch, as far as they reach into it. Whether the paper blanked them is not said.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Slices lie 3 mm apart and L3 is 27 mm high. One slice through it is lost, and a careless reader stacks the rest at 3 mm. By how
# much does L3 seem to have collapsed? Could somebody take that for a fracture, which in Genant's grades begins at 20 %?
# ```

# %% tags=["solution"]
from osteolib.volume import VolumeError

loss = 1 - (27 - 3) / 27
print(f"{loss:.0%} of its height: no fracture yet; two slices: {2 * loss:.0%}")
try:
    with tempfile.TemporaryDirectory() as folder:
        write_dicom_series(volume, folder)
        (Path(folder) / "slice0020.dcm").unlink()
        answer = str(read_volume(folder))
except VolumeError as error:
    answer = str(error).split(": ", 1)[1]
print(answer)
assert loss < 0.2 < 2 * loss and answer.startswith("1 slice(s) missing")

# %% [markdown]
# **Take away.** A header is a claim. Turn every volume into one orientation and one unit at the door, check what can be checked
# there, and let the reader say no: a network never will.

# %% tags=["hide-input"]
provenance(run)
