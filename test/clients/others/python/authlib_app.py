"""A web application in Flask that signs people in with Authlib."""

import os
from urllib.parse import urlencode

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session

SELF = f"http://localhost:{os.environ['PORT']}"

app = Flask(__name__)
app.secret_key = "of this test"
portico = OAuth(app).register(
    "portico",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_kwargs={
        "scope": "openid profile email roles",
        "code_challenge_method": "S256",
    },
)


@app.get("/me")
def me():
    if "id_token" not in session:
        return portico.authorize_redirect(f"{SELF}/callback")
    token = portico.fetch_access_token(
        grant_type="refresh_token", refresh_token=session["refresh_token"]
    )
    person = portico.userinfo(token=token)
    return {name: person[name] for name in ("name", "email", "roles")}


@app.get("/callback")
def callback():
    token = portico.authorize_access_token()
    session["id_token"] = token["id_token"]
    session["refresh_token"] = token["refresh_token"]
    return redirect("/me")


@app.get("/logout")
def logout():
    query = {
        "id_token_hint": session.pop("id_token"),
        "post_logout_redirect_uri": f"{SELF}/signed-out",
    }
    metadata = portico.load_server_metadata()
    return redirect(f"{metadata['end_session_endpoint']}?{urlencode(query)}")


app.run("localhost", int(os.environ["PORT"]))
