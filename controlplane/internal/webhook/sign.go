package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
)

// headers of a message, as https://www.standardwebhooks.com has them.
func headers(key []byte, m Message) http.Header {
	at := strconv.FormatInt(m.Sent.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(m.ID + "." + at + "."))
	mac.Write(m.Body)
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Weir")
	h.Set("Webhook-Id", m.ID)
	h.Set("Webhook-Timestamp", at)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}
