"""Foreign files as tables of text cells, whatever they are packed in."""
