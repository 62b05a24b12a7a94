"""The live loop: feeds, clock, venues and operators around one sequenced core."""
