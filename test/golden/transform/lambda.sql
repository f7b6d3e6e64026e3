SELECT id, list_transform(tags, lambda x: x || note) AS t FROM orders
