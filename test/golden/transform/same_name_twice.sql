SELECT *, amount * 2 AS amount FROM orders
