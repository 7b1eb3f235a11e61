DROP TABLE identities;
DROP TABLE developers;
DROP TABLE consumers;
DROP TABLE people;
