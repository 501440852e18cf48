// The image runs this once, in mongosh, when the volume is empty: the nodes' user may read and write their database,
// and nothing else.
db.getSiblingDB('portico').createUser({
  user: 'portico',
  pwd: require('node:fs').readFileSync('/run/secrets/mongo-password', 'utf8').trim(),
  roles: [{ role: 'readWrite', db: 'portico' }],
});
