package chat

// Size guesses how many bytes the body of a request has, from what most often makes it
// large.
func (r *Request) Size() int {
	size := 1 << 10
	for i := range r.Messages {
		size += sizeOf(r.Messages[i].Parts)
	}
	for i := range r.Tools {
		size += 128 + len(r.Tools[i].Description) + len(r.Tools[i].Schema)
	}
	return size + size/16
}

func sizeOf(parts []Part) (size int) {
	for i := range parts {
		part := &parts[i]
		size += 128 + len(part.Text) + len(part.Signature)
		if part.Media != nil {
			size += len(part.Media.Data)
		}
		if part.Call != nil {
			size += len(part.Call.Arguments)
		}
		if part.Result != nil {
			size += sizeOf(part.Result.Parts)
		}
	}
	return size
}
