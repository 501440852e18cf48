import os
from urllib.parse import urlencode

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session

PORT = os.environ.get("PORT", "8080")
SELF = f"http://localhost:{PORT}"

app = Flask(__name__)
app.secret_key = os.urandom(32)  # signs the session cookie; yours stays the same


def keep(token, **_):
    session["token"] = {name: token[name] for name in token if name != "userinfo"}


portico = OAuth(app).register(
    "portico",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email roles", "code_challenge_method": "S256"},
    update_token=keep,  # what a refresh gave
)


@app.get("/")
def home():
    if "token" not in session:
        return portico.authorize_redirect(f"{SELF}/callback")
    person = portico.userinfo(token=session["token"])
    return {name: person[name] for name in ("name", "email", "roles")}


@app.get("/callback")
def callback():
    keep(portico.authorize_access_token())
    return redirect("/")


@app.get("/logout")
def logout():
    query = {
        "id_token_hint": session.pop("token")["id_token"],
        "post_logout_redirect_uri": f"{SELF}/signed-out",
    }
    end_session = portico.load_server_metadata()["end_session_endpoint"]
    return redirect(f"{end_session}?{urlencode(query)}")


@app.get("/signed-out")
def signed_out():
    return "You are signed out."


app.run("localhost", int(PORT))
