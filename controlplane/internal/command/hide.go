package command

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

var errNoSecretKey = errors.New("the request has a secret, and the runner no key to hide it")

// hideSecrets puts an HMAC in the place of each text that is marked secret.
func hideSecrets(m protoreflect.Message, key []byte) (err error) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case isSecret(field):
			err = hide(m, field, value, key)
		case field.IsMap() && field.MapValue().Message() != nil:
			value.Map().Range(func(_ protoreflect.MapKey, one protoreflect.Value) bool {
				err = hideSecrets(one.Message(), key)
				return err == nil
			})
		case field.IsList() && field.Message() != nil:
			for i := 0; i < value.List().Len() && err == nil; i++ {
				err = hideSecrets(value.List().Get(i).Message(), key)
			}
		case field.Message() != nil && !field.IsMap():
			err = hideSecrets(value.Message(), key)
		}
		return err == nil
	})
	return err
}

func hide(m protoreflect.Message, field protoreflect.FieldDescriptor, value protoreflect.Value, key []byte) error {
	if len(key) == 0 {
		return errNoSecretKey
	}
	if field.Kind() != protoreflect.StringKind || field.Cardinality() == protoreflect.Repeated {
		return fmt.Errorf("%s is marked secret and is no text", field.FullName())
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(value.String()))
	m.Set(field, protoreflect.ValueOfString(hex.EncodeToString(mac.Sum(nil))))
	return nil
}
