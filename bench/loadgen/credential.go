package main

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fairway/internal/wire/sigv4"
)

var (
	sigv4F = flag.String("sigv4", "", "ACCESS_KEY_ID:SECRET:REGION: sign the request for bedrock once, at the start; the signature is good for five minutes")
	jwtF   = flag.String("jwt", "", "project `DIR` of a running fairway dev: send an access token of its test user, as a signed-in GraphQL client does")
)

// credential gives the header lines that the flags ask for.
func credential(u *url.URL, body []byte) ([]string, error) {
	switch {
	case *sigv4F != "":
		return presigned(u, body, *sigv4F)
	case *jwtF != "":
		token, err := accessToken(*jwtF)
		return []string{"Authorization: " + token}, err
	}
	return nil, nil
}

// presigned are the headers of a request that was signed before the load began.
// Servers take the same request again within five minutes, as AWS does.
func presigned(u *url.URL, body []byte, key string) ([]string, error) {
	parts := strings.Split(key, ":")
	if len(parts) != 3 {
		return nil, errors.New("-sigv4 wants ACCESS_KEY_ID:SECRET:REGION")
	}
	r, err := http.NewRequest(http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	sigv4.Sign(r, body, sigv4.Credentials{AccessKeyID: parts[0], SecretAccessKey: parts[1]}, parts[2], "bedrock", time.Now())
	return []string{
		"X-Amz-Date: " + r.Header.Get("X-Amz-Date"),
		"Authorization: " + r.Header.Get("Authorization"),
	}, nil
}

// accessToken signs an hour's token for the test user with the key that dev keeps
// in its project.
func accessToken(dir string) (string, error) {
	var outputs struct {
		Endpoint string `json:"endpoint"`
		UserPool struct {
			ID       string `json:"user_pool_id"`
			ClientID string `json:"client_id"`
		} `json:"user_pool"`
		User struct {
			Username string `json:"username"`
		} `json:"user"`
	}
	raw, err := os.ReadFile(filepath.Join(dir, "fairway_outputs.json"))
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(raw, &outputs); err != nil {
		return "", err
	}
	issuer := outputs.Endpoint + "/" + outputs.UserPool.ID
	kid, err := keyID(issuer)
	if err != nil {
		return "", err
	}
	raw, err = os.ReadFile(filepath.Join(dir, ".fairway", "signing-key.pem"))
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return "", errors.New("signing-key.pem holds no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	now := time.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"sub": rand.Text(), "iss": issuer, "client_id": outputs.UserPool.ClientID, "token_use": "access",
		"scope": "aws.cognito.signin.user.admin", "username": outputs.User.Username, "jti": rand.Text(),
		"auth_time": now.Unix(), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	t.Header["kid"] = kid
	return t.SignedString(key)
}

// keyID is the id of the issuer's first key.
func keyID(issuer string) (string, error) {
	resp, err := http.Get(issuer + "/.well-known/jwks.json")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil || len(set.Keys) == 0 {
		return "", fmt.Errorf("%s has no keys: %v", issuer, err)
	}
	return set.Keys[0].ID, nil
}
