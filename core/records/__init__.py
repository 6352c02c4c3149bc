"""What people add to images, in one SQLite file: tags, notes, saved views and reviewed labels.

Patients, lesions and visits can join later: they refer to `database.Image`.
"""
