"""What people decided about samples: the review store, agreement, and the ways to edit them."""
