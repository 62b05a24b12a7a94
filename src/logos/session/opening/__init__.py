"""What a session is opened from, and what stands before it reads anything."""
