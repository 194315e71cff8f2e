DROP TABLE webhook_places;
DROP TABLE webhooks;
