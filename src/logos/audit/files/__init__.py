"""The files beside a journal that repeat what it says, held against it."""
