-- What deletes captured requests raises `highest_seq` itself, once a step (`delete_requests.delete_rows`): a trigger did
-- it for each row, which was nearly half of what deleting one took.

DROP TRIGGER requests_deleted;
