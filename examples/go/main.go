package main

import (
	"cmp"
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

type session struct {
	verifier, nonce, idToken string
	tokens                   oauth2.TokenSource // nil until the person is back
}

var sessions sync.Map // by the state, which is also the session's cookie; yours go to a database

func main() {
	ctx := context.Background()
	issuer, port := os.Getenv("ISSUER"), cmp.Or(os.Getenv("PORT"), "8080")
	self := "http://localhost:" + port
	provider, err := oidc.NewProvider(ctx, issuer)
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

	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		s := sessionOf(r)
		if s == nil || s.tokens == nil {
			state := oauth2.GenerateVerifier()
			s = &session{verifier: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier()}
			sessions.Store(state, s)
			http.SetCookie(w, &http.Cookie{Name: "session", Value: state, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
			http.Redirect(w, r, config.AuthCodeURL(state, oidc.Nonce(s.nonce), oauth2.S256ChallengeOption(s.verifier)), http.StatusFound)
			return
		}
		var person struct {
			Name  string   `json:"name"`
			Email string   `json:"email"`
			Roles []string `json:"roles"`
		}
		info, err := provider.UserInfo(ctx, s.tokens)
		if err == nil {
			err = info.Claims(&person)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		json.NewEncoder(w).Encode(person)
	})

	http.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		s := sessionOf(r)
		if begun, _ := sessions.Load(r.FormValue("state")); s == nil || begun != s {
			http.Error(w, "This browser began no such sign-in.", http.StatusBadRequest)
			return
		}
		token, err := config.Exchange(ctx, r.FormValue("code"), oauth2.VerifierOption(s.verifier))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		s.idToken, _ = token.Extra("id_token").(string)
		idToken, err := idTokens.Verify(ctx, s.idToken)
		if err != nil || idToken.Nonce != s.nonce {
			http.Error(w, "The ID token is not of this sign-in.", http.StatusBadRequest)
			return
		}
		s.tokens = config.TokenSource(ctx, token) // refreshes by itself
		http.Redirect(w, r, "/", http.StatusFound)
	})

	http.HandleFunc("GET /logout", func(w http.ResponseWriter, r *http.Request) {
		query := url.Values{"post_logout_redirect_uri": {self + "/signed-out"}, "client_id": {config.ClientID}}
		if s := sessionOf(r); s != nil {
			query.Set("id_token_hint", s.idToken)
			s.tokens = nil
		}
		http.Redirect(w, r, issuer+"/logout?"+query.Encode(), http.StatusFound)
	})
	http.HandleFunc("GET /signed-out", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("You are signed out."))
	})

	log.Fatal(http.ListenAndServe("localhost:"+port, nil))
}

func sessionOf(r *http.Request) *session {
	cookie, err := r.Cookie("session")
	if err != nil {
		return nil
	}
	found, _ := sessions.Load(cookie.Value)
	s, _ := found.(*session)
	return s
}
