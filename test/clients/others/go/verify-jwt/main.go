// Judges access tokens of RFC 9068 with go-jose, as an API does: one token a line, one verdict a line.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func main() {
	issuer, audience := os.Args[1], os.Args[2]
	reply, err := http.Get(issuer + "/jwks")
	if err != nil {
		log.Fatal(err)
	}
	var keys jose.JSONWebKeySet
	if err := json.NewDecoder(reply.Body).Decode(&keys); err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := judge(lines.Text(), keys, issuer, audience); err != nil {
			fmt.Println("refused:", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("accepted")
		}
	}
}

func judge(text string, keys jose.JSONWebKeySet, issuer, audience string) error {
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		return err
	}
	typ, _ := token.Headers[0].ExtraHeaders[jose.HeaderType].(string)
	if typ = strings.ToLower(typ); typ != "at+jwt" && typ != "application/at+jwt" {
		return errors.New("it is no access token")
	}
	var claims jwt.Claims
	var client struct {
		ID string `json:"client_id"`
	}
	if err := token.Claims(keys, &claims, &client); err != nil {
		return err
	}
	// It takes a claim that is not there for one that is right.
	if claims.Expiry == nil || claims.IssuedAt == nil || claims.Subject == "" || claims.ID == "" || client.ID == "" {
		return errors.New("a claim of RFC 9068 is missing")
	}
	return claims.ValidateWithLeeway(jwt.Expected{Issuer: issuer, AnyAudience: jwt.Audience{audience}}, 0)
}
