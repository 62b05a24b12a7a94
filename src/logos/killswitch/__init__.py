"""The kill switch: its files, its rules, its history."""
