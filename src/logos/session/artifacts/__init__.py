"""The files of a session folder: tables, reports, snapshots."""
