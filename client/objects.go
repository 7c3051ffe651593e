package client

// ListenIP is an address to listen on, and how it is announced.
type ListenIP struct {
	IP          string `json:"ip"`
	AnnouncedIP string `json:"announcedIp,omitempty"`
}
