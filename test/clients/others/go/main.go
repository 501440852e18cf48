// A web application that signs people in with go-oidc.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"net/url"
	"os"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

type person struct {
	Name  string   `json:"name"`
	Email string   `json:"email"`
	Roles []string `json:"roles"`
}

type session struct {
	verifier, nonce, idToken string
	tokens                   oauth2.TokenSource
}

func main() {
	ctx := context.Background()
	self := "http://localhost:" + os.Getenv("PORT")
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	if err != nil {
		log.Fatal(err)
	}
	config := oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		Endpoint:     provider.Endpoint(),
		RedirectURL:  self + "/callback",
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email", "roles"},
	}
	idTokens := provider.Verifier(&oidc.Config{ClientID: config.ClientID})
	var sessions sync.Map // by the state, which is also the session's cookie

	current := func(r *http.Request) *session {
		cookie, err := r.Cookie("session")
		if err != nil {
			return nil
		}
		found, ok := sessions.Load(cookie.Value)
		if !ok {
			return nil
		}
		return found.(*session)
	}

	http.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) {
		s := current(r)
		if s == nil || s.tokens == nil {
			state := oauth2.GenerateVerifier()
			s = &session{verifier: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier()}
			sessions.Store(state, s)
			http.SetCookie(w, &http.Cookie{Name: "session", Value: state, Path: "/", HttpOnly: true})
			http.Redirect(w, r, config.AuthCodeURL(state, oidc.Nonce(s.nonce), oauth2.S256ChallengeOption(s.verifier)), http.StatusFound)
			return
		}
		info, err := provider.UserInfo(ctx, s.tokens)
		if fail(w, err) {
			return
		}
		var who person
		if fail(w, info.Claims(&who)) {
			return
		}
		json.NewEncoder(w).Encode(who)
	})

	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		s, cookie := current(r), r.URL.Query().Get("state")
		if found, ok := sessions.Load(cookie); !ok || found != s {
			http.Error(w, "the state is of another session", http.StatusBadRequest)
			return
		}
		token, err := config.Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(s.verifier))
		if fail(w, err) {
			return
		}
		s.idToken, _ = token.Extra("id_token").(string)
		idToken, err := idTokens.Verify(ctx, s.idToken)
		if fail(w, err) {
			return
		}
		if idToken.Nonce != s.nonce {
			http.Error(w, "the nonce is of another sign-in", http.StatusBadRequest)
			return
		}
		// Without its access token the source refreshes at once.
		s.tokens = config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken})
		http.Redirect(w, r, "/me", http.StatusFound)
	})

	http.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		var known struct {
			EndSession string `json:"end_session_endpoint"`
		}
		s := current(r)
		if fail(w, provider.Claims(&known)) {
			return
		}
		query := url.Values{"id_token_hint": {s.idToken}, "post_logout_redirect_uri": {self + "/signed-out"}}
		s.tokens = nil
		http.Redirect(w, r, known.EndSession+"?"+query.Encode(), http.StatusFound)
	})

	log.Fatal(http.ListenAndServe("localhost:"+os.Getenv("PORT"), nil))
}

func fail(w http.ResponseWriter, err error) bool {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
	return err != nil
}
