SELECT id, current_setting('threads') AS n FROM orders
