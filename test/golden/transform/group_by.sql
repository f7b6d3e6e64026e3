SELECT id FROM orders GROUP BY id
