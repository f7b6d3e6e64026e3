SELECT id, nextval('s') AS n FROM orders
