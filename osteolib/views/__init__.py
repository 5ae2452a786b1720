"""Views of a bone for self-supervised learning: augmentation and multi-crop, conventional and extended."""
