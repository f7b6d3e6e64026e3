SELECT id, pg_conf_load_time() AS n FROM orders
