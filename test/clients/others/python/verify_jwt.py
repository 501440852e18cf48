"""Judges access tokens of RFC 9068 with PyJWT, as an API does: one token a line, one verdict a line."""

import sys

import jwt

issuer, audience = sys.argv[1:]
keys = jwt.PyJWKClient(f"{issuer}/jwks")


def judge(token):
    if jwt.get_unverified_header(token).get("typ", "").lower() not in ("at+jwt", "application/at+jwt"):
        raise jwt.InvalidTokenError("it is no access token")
    jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["ES256", "RS256"],
        issuer=issuer,
        audience=audience,
        options={"require": ["exp", "iat", "iss", "aud", "sub", "client_id", "jti"]},
    )


for line in sys.stdin:
    try:
        judge(line.removesuffix("\n"))
        print("accepted")
    except jwt.PyJWTError as error:
        print("refused:", error)
