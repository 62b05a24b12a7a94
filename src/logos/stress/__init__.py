"""Stress runs: many symbols at speed, judged from what the processes left behind."""
