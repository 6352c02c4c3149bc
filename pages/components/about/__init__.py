"""The model card of the About page."""
