// net/http's server, a small page for every GET; with --close it closes the connection after each.
package main

import (
	"bytes"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	page := bytes.Repeat([]byte("x"), 1024)
	handler := func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "text/plain")
		answer.Write(page)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on 127.0.0.1 port", listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: http.HandlerFunc(handler)}
	server.SetKeepAlivesEnabled(len(os.Args) < 2)
	log.Fatal(server.Serve(listener))
}
