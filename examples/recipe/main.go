// Command recipe is the built-in sample as a Go program: the same backend as
// plain data, with a Go function in place of the JavaScript resolver.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"

	"fairway"
)

func main() {
	gateway, err := fairway.New(fairway.Config{Backend: recipes()})
	if err != nil {
		log.Fatal(err)
	}
	defer gateway.Close()
	fmt.Println("http://127.0.0.1:20002/graphql")
	log.Fatal(http.ListenAndServe("127.0.0.1:20002", gateway))
}

var _ = json.Marshal
