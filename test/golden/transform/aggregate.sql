SELECT id, sum(amount) AS total FROM orders
