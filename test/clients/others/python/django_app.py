"""A web application in Django that signs people in with mozilla-django-oidc."""

import os
import tempfile
from urllib.parse import urlencode

import django
from django.conf import settings
from django.core.management import call_command
from django.http import JsonResponse
from django.urls import include, path

ISSUER = os.environ["ISSUER"]
SELF = f"http://localhost:{os.environ['PORT']}"


def end_session(request):
    query = {
        "id_token_hint": request.session["oidc_id_token"],
        "post_logout_redirect_uri": f"{SELF}/signed-out",
    }
    return f"{ISSUER}/logout?{urlencode(query)}"


settings.configure(
    SECRET_KEY="of this test",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(tempfile.mkdtemp(), "app.db"),
        }
    },
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "mozilla_django_oidc",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    AUTHENTICATION_BACKENDS=[f"{__name__}.Backend"],
    LOGIN_URL="/oidc/authenticate/",
    LOGIN_REDIRECT_URL="/me",
    LOGOUT_REDIRECT_URL="/",
    ALLOW_LOGOUT_GET_METHOD=True,
    OIDC_RP_CLIENT_ID=os.environ["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["CLIENT_SECRET"],
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_RP_SCOPES="openid profile email roles",
    OIDC_OP_AUTHORIZATION_ENDPOINT=f"{ISSUER}/authorize",
    OIDC_OP_TOKEN_ENDPOINT=f"{ISSUER}/token",
    OIDC_OP_USER_ENDPOINT=f"{ISSUER}/userinfo",
    OIDC_OP_JWKS_ENDPOINT=f"{ISSUER}/jwks",
    OIDC_OP_LOGOUT_URL_METHOD=f"{__name__}.end_session",
    OIDC_STORE_ID_TOKEN=True,
    OIDC_USE_PKCE=True,
)
django.setup()

# After the settings: these have models.
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402


class Backend(OIDCAuthenticationBackend):
    """Makes a user of whom it does not know, with the roles as groups."""

    def create_user(self, claims):
        user = super().create_user(claims)
        user.first_name = claims["name"]
        user.save()
        user.groups.set(
            Group.objects.get_or_create(name=role)[0] for role in claims["roles"]
        )
        return user


@login_required
def me(request):
    user = request.user
    roles = [group.name for group in user.groups.all()]
    return JsonResponse({"name": user.first_name, "email": user.email, "roles": roles})


urlpatterns = [path("me", me), path("oidc/", include("mozilla_django_oidc.urls"))]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    call_command("runserver", f"localhost:{os.environ['PORT']}", use_reloader=False)
