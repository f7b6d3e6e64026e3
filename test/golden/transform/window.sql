SELECT id, row_number() OVER (ORDER BY id) AS n FROM orders
