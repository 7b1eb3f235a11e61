DROP TABLE tars_models;
DROP TABLE base_models;
DROP TABLE endpoints;
