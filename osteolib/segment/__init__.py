"""From radiograph to bones: a mixture of decoders that says how experts would differ, and what is cut out with it."""
