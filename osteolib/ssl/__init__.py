"""Self-supervised pre-training of bone encoders: SimCLR, SupCon, SwAV and VICReg on multi-crop views."""
