SELECT id, created::DATE = current_date AS today FROM orders
