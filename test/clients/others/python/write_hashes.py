"""Password hashes as passlib, Django, Werkzeug and bcrypt write them: [{ by, password, hash, recipe?, salt? }] as JSON."""

import hashlib
import json

import bcrypt
import django
from django.conf import settings
from django.contrib.auth import hashers
from passlib import hash as passlib
from werkzeug.security import generate_password_hash

settings.configure()
django.setup()

PASSWORD = "Größe-Lantern-42 "

written = []


def write(by, text, **more):
    written.append({"by": by, "password": PASSWORD, "hash": text, **more})


for name, settings_of in {
    "argon2": {"memory_cost": 8192, "rounds": 2, "parallelism": 2},
    "bcrypt": {"rounds": 5},
    "ldap_salted_md5": {},
    "ldap_salted_sha1": {},
    "ldap_salted_sha256": {},
    "ldap_salted_sha512": {},
    "ldap_sha1": {},
    "ldap_md5": {},
    "pbkdf2_sha1": {"rounds": 20_000},
    "pbkdf2_sha256": {"rounds": 20_000},
    "pbkdf2_sha512": {"rounds": 1_000},
    "phpass": {"rounds": 13},
    "scrypt": {"rounds": 12},
    "sha256_crypt": {"rounds": 5_000},
    "sha512_crypt": {"rounds": 20_000},
}.items():
    write(f"passlib {name}", getattr(passlib, name).using(**settings_of).hash(PASSWORD))
write("passlib phpass of phpBB", passlib.phpass.using(ident="H").hash(PASSWORD))
write("passlib bcrypt 2y", passlib.bcrypt.using(rounds=5, ident="2y").hash(PASSWORD))
write("passlib sha512_crypt of LDAP", "{CRYPT}" + passlib.sha512_crypt.using(rounds=5_000).hash(PASSWORD))
for name in ("hex_md5", "hex_sha1", "hex_sha256", "hex_sha512"):
    digest = name.removeprefix("hex_")
    write(f"passlib {name}", getattr(passlib, name).hash(PASSWORD), recipe=f"{digest}({{password}})")
postgres = passlib.postgres_md5.hash(PASSWORD, user="ada")
write("passlib postgres_md5", postgres.removeprefix("md5"), recipe="md5({password}{salt})", salt="ada")

# At less than the defaults, which the tests read and do not wait for.
for hasher in (
    hashers.PBKDF2PasswordHasher(),
    hashers.PBKDF2SHA1PasswordHasher(),
    hashers.Argon2PasswordHasher(),
    hashers.BCryptSHA256PasswordHasher(),
    hashers.BCryptPasswordHasher(),
    hashers.ScryptPasswordHasher(),
):
    if hasattr(hasher, "iterations"):
        hasher.iterations = 20_000
    if hasattr(hasher, "rounds"):
        hasher.rounds = 5
    write(f"Django {hasher.algorithm}", hasher.encode(PASSWORD, hasher.salt()))
write("Django md5", hashers.MD5PasswordHasher().encode(PASSWORD, "seasalt"), recipe="md5({salt}{password})")

for method in ("scrypt", "pbkdf2:sha256:20000", "pbkdf2:sha1:20000", "pbkdf2:sha384:20000", "pbkdf2:sha512:20000"):
    write(f"Werkzeug {method}", generate_password_hash(PASSWORD, method))

# As Meteor and Devise document what they do.
hex_digest = hashlib.sha256(PASSWORD.encode()).hexdigest().encode()
write("bcrypt as Meteor", bcrypt.hashpw(hex_digest, bcrypt.gensalt(5)).decode(), recipe="meteor")
peppered = (PASSWORD + "black-pepper").encode()
write("bcrypt as Devise", bcrypt.hashpw(peppered, bcrypt.gensalt(5, b"2a")).decode(), recipe="devise:shop")

print(json.dumps(written, indent=1))
