// A TLS peer over Go's crypto/tls, for the interop matrix (own-program.ts says how it is talked to).
package main

import (
	"crypto/ecdh"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"strings"
)

var groups = map[string]tls.CurveID{
	"secp256r1":          tls.CurveP256,
	"secp384r1":          tls.CurveP384,
	"secp521r1":          tls.CurveP521,
	"x25519":             tls.X25519,
	"X25519MLKEM768":     tls.X25519MLKEM768,
	"SecP256r1MLKEM768":  tls.SecP256r1MLKEM768,
	"SecP384r1MLKEM1024": tls.SecP384r1MLKEM1024,
}

// What standard input is for: the newest connection.
var connections = make(chan *tls.Conn)

func main() {
	wish := map[string]string{}
	for _, word := range os.Args[2:] {
		name, value, _ := strings.Cut(word, "=")
		wish[name] = value
	}
	go obey()
	if os.Args[1] == "client" {
		client(wish)
	} else {
		server(wish)
	}
}

func client(wish map[string]string) {
	config := configFor(wish)
	config.ServerName = wish["servername"]
	config.GetClientCertificate = certificateFor(config.Certificates)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	if list, found := wish["ech"]; found {
		config.EncryptedClientHelloConfigList = must(base64.StdEncoding.DecodeString(list))
	}
	address := "127.0.0.1:" + wish["port"]
	if _, found := wish["resume"]; found {
		first := must(tls.Dial("tcp", address, config))
		// Tickets come before the byte.
		must(first.Read(make([]byte, 1)))
		first.Close()
	}
	connection := must(tls.Dial("tcp", address, config))
	say(connection, wish)
	pump(connection)
}

// Says whose certificates are wanted.
func certificateFor(own []tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		for _, name := range info.AcceptableCAs {
			var sequence pkix.RDNSequence
			must(asn1.Unmarshal(name, &sequence))
			fmt.Println("authority", sequence)
		}
		if len(own) == 0 {
			return &tls.Certificate{}, nil
		}
		return &own[0], nil
	}
}

func server(wish map[string]string) {
	config := configFor(wish)
	if _, found := wish["requestCert"]; found {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if file, found := wish["echKeys"]; found {
		config.EncryptedClientHelloKeys = []tls.EncryptedClientHelloKey{echKey(file)}
	}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection := tls.Server(must(listener.Accept()), config)
		if err := connection.Handshake(); err != nil {
			fmt.Println("failed:", err)
			connection.Close()
			continue
		}
		say(connection, wish)
		pump(connection)
	}
}

func configFor(wish map[string]string) *tls.Config {
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM(must(os.ReadFile(wish["ca"])))
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: authority, ClientCAs: authority}
	if wish["cert"] != "" {
		config.Certificates = []tls.Certificate{must(tls.LoadX509KeyPair(wish["cert"], wish["key"]))}
	}
	if names := wish["groups"]; names != "" {
		for _, name := range strings.Split(names, ",") {
			config.CurvePreferences = append(config.CurvePreferences, groups[name])
		}
	}
	if file, found := wish["staple"]; found && len(config.Certificates) > 0 {
		config.Certificates[0].OCSPStaple = must(os.ReadFile(file))
	}
	if names := wish["alpn"]; names != "" {
		config.NextProtos = strings.Split(names, ",")
	}
	return config
}

// The configuration and the key of a PEM file as RFC 9934 has it.
func echKey(path string) tls.EncryptedClientHelloKey {
	key := tls.EncryptedClientHelloKey{SendAsRetry: true}
	rest := must(os.ReadFile(path))
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			return key
		}
		if block.Type == "ECHCONFIG" {
			// A list of one, with its length ahead.
			key.Config = block.Bytes[2:]
		} else {
			private := must(x509.ParsePKCS8PrivateKey(block.Bytes)).(*ecdh.PrivateKey)
			key.PrivateKey = private.Bytes()
		}
	}
}

func say(connection *tls.Conn, wish map[string]string) {
	state := connection.ConnectionState()
	words := []string{"connected", "suite=" + tls.CipherSuiteName(state.CipherSuite)}
	for name, id := range groups {
		if id == state.CurveID {
			words = append(words, "group="+name)
		}
	}
	if state.NegotiatedProtocol != "" {
		words = append(words, "alpn="+state.NegotiatedProtocol)
	}
	if os.Args[1] == "server" && state.ServerName != "" {
		words = append(words, "servername="+state.ServerName)
	}
	words = append(words, flag("resumed", state.DidResume), flag("ech", state.ECHAccepted))
	words = append(words, flag("stapled", len(state.OCSPResponse) > 0))
	words = append(words, flag("verified", len(state.VerifiedChains) > 0))
	if label, found := wish["exporter"]; found {
		words = append(words, "exported="+hex.EncodeToString(must(state.ExportKeyingMaterial(label, nil, 32))))
	}
	fmt.Println(strings.Join(words, " "))
	connections <- connection
}

// Passes data on until the connection ends.
func pump(connection *tls.Conn) {
	bytes := make([]byte, 65536)
	for {
		count, err := connection.Read(bytes)
		os.Stdout.Write(bytes[:count])
		if err != nil {
			connection.Close()
			return
		}
	}
}

// Passes standard input on.
func obey() {
	connection := <-connections
	inputs := make(chan []byte)
	go func() {
		for {
			bytes := make([]byte, 65536)
			count, err := os.Stdin.Read(bytes)
			if err != nil {
				return
			}
			inputs <- bytes[:count]
		}
	}()
	for {
		select {
		case connection = <-connections:
		case input := <-inputs:
			data := []byte{}
			closes := false
			for _, one := range input {
				if one >= 0x80 {
					data = append(data, one)
				}
				closes = closes || one == 'q'
			}
			connection.Write(data)
			if closes {
				connection.CloseWrite()
			}
		}
	}
}

func flag(name string, value bool) string {
	if value {
		return name + "=1"
	}
	return name + "=0"
}

func must[Result any](result Result, err error) Result {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	return result
}
