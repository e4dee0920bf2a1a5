"""Reading video and pictures, and drawing what was found."""
