// Echo with a goroutine for each connection: `echo [CERTIFICATE KEY]`, with these over TLS.
package main

import (
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"os"
)

func echo(connection net.Conn) {
	defer connection.Close()
	chunk := make([]byte, 65536)
	for {
		n, err := connection.Read(chunk)
		if err != nil {
			return
		}
		if _, err = connection.Write(chunk[:n]); err != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on 127.0.0.1 port", listener.Addr().(*net.TCPAddr).Port)
	if len(os.Args) > 2 {
		pair, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go echo(connection)
	}
}
