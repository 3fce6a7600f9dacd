package apache

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// authority signs certificates of brokers and clients. Its key is in memory only.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// newAuthority writes its own certificate to a file.
func newAuthority(path string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	of := template("weir test authority")
	of.IsCA, of.BasicConstraintsValid, of.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	return &authority{of, key}, writePEM(path, &pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// sign writes a new key and its certificate to one file. It is good for 127.0.0.1 and for clients of that name.
func (a *authority) sign(name, path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key for %s: %w", name, err)
	}
	of := template(name)
	of.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	of.KeyUsage, of.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der, signErr := x509.CreateCertificate(rand.Reader, of, a.certificate, key.Public(), a.key)
	private, keyErr := x509.MarshalPKCS8PrivateKey(key)
	if err := errors.Join(signErr, keyErr); err != nil {
		return fmt.Errorf("make a certificate for %s: %w", name, err)
	}
	return writePEM(path, &pem.Block{Type: "PRIVATE KEY", Bytes: private}, &pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func template(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // never fails, by its documentation
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
	}
}

func writePEM(path string, blocks ...*pem.Block) error {
	var text bytes.Buffer
	for _, b := range blocks {
		_ = pem.Encode(&text, b) // a buffer takes everything
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
