"""What a rehearsal leaves beside its sessions, and how it is judged again from that."""
