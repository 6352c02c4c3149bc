"""The Learn view of the Training page: one file a topic; start in topics.py."""
