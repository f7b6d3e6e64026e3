SELECT id, amont * 2 AS twice FROM orders
