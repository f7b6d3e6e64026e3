SELECT id, shout(note) AS n FROM orders
