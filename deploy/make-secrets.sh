#!/bin/sh
# Makes what docker-compose.yml reads from deploy/secrets: the server key, passwords for
# MongoDB and Redis, and a certificate for localhost, signed by itself. What is there stays: the server key above
# all, without which the store cannot be read. Keep a copy of it elsewhere.
set -eu
cd "$(dirname "$0")"
# The folder keeps other users of this machine out; in it the files can be read by the containers' users.
mkdir -p secrets
chmod 700 secrets
cd secrets
umask 022

[ -s server-key ] || openssl rand -base64 32 >server-key
[ -s mongo-root-password ] || openssl rand -hex 32 >mongo-root-password
if ! [ -s mongo-password ]; then
	openssl rand -hex 32 >mongo-password
	printf 'mongodb://portico:%s@mongo:27017/?authSource=portico&replicaSet=rs0\n' "$(cat mongo-password)" >mongo-url
fi
if ! [ -s redis-password ]; then
	openssl rand -hex 32 >redis-password
	printf 'redis://:%s@redis:6379\n' "$(cat redis-password)" >redis-url
fi
[ -s key.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
	-keyout key.pem -out certificate.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
# openssl makes private keys for their owner alone; nginx reads this one before it drops its rights.
chmod 600 key.pem
