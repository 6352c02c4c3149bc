"""A visitor's own tags, notes and saved views on the Dataset and Evaluate pages."""
