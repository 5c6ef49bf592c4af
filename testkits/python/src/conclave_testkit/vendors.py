"""What each vendor's SDKs are configured with, and the credentials that an app's server gives its users."""

import base64
import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
import zlib

# seconds that signatures and tokens are valid, unless a test says otherwise
LIFETIME = 86_400


def _post(url, body, headers=None):
    request = urllib.request.Request(url, body, headers or {}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"POST {url}: {error.code} {error.read().decode()}") from error


class Agora:
    """Agora Chat and Easemob."""

    def __init__(self, realm):
        of = realm.settings
        self.app_key = of["AGORA_APPKEY"]
        self.org, self.app = self.app_key.split("#")
        self.client_id, self.client_secret = of["AGORA_CLIENT_ID"], of["AGORA_CLIENT_SECRET"]
        self.api_url, self.ws_url, self.sockjs_url = of["AGORA_API_URL"], of["AGORA_WS_URL"], of.get("AGORA_SOCKJS_URL")
        # the base of the REST API of this app
        self.rest_url = f"{self.api_url}/{self.org}/{self.app}"

    def _call(self, below, body, token=None):
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        return _post(self.rest_url + below, json.dumps(body).encode(), headers)

    def app_token(self):
        """A token of the app."""
        credentials = {"client_id": self.client_id, "client_secret": self.client_secret}
        return self._call("/token", {"grant_type": "client_credentials", **credentials})["access_token"]

    def register_user(self, username, password="secret"):
        """Registers a user."""
        self._call("/users", {"username": username, "password": password}, self.app_token())

    def user_token(self, username, lifetime=LIFETIME):
        """A token of a user, who is registered if necessary."""
        body = {"grant_type": "inherit", "username": username, "autoCreateUser": True, "ttl": lifetime}
        return self._call("/token", body, self.app_token())["access_token"]


class Tencent:
    """Tencent Chat."""

    def __init__(self, realm):
        of = realm.settings
        self._realm = realm
        self.sdk_app_id = int(of["TENCENT_SDKAPPID"])
        self.secret_key, self.admin = of["TENCENT_SECRET_KEY"], of["TENCENT_ADMIN"]
        self.api_url, self.ws_url = of["TENCENT_API_URL"], of.get("TENCENT_WS_URL")

    def user_sig(self, user, lifetime=LIFETIME):
        """A UserSig, version 2.0, valid from the time of the realm's clock."""
        now = self._realm.clock.get()["now_ms"] // 1000
        content = f"TLS.identifier:{user}\nTLS.sdkappid:{self.sdk_app_id}\nTLS.time:{now}\nTLS.expire:{lifetime}\n"
        signature = hmac.new(self.secret_key.encode(), content.encode(), hashlib.sha256).digest()
        document = {
            "TLS.ver": "2.0", "TLS.identifier": user, "TLS.sdkappid": self.sdk_app_id, "TLS.time": now,
            "TLS.expire": lifetime, "TLS.sig": base64.b64encode(signature).decode()}
        packed = base64.b64encode(zlib.compress(json.dumps(document).encode())).decode()
        return packed.translate(str.maketrans("+/=", "*-_"))

    def call(self, command, body=None):
        """Calls a command of the server API as the app's admin, such as v4/group_open_http_svc/create_group."""
        query = urllib.parse.urlencode({
            "sdkappid": self.sdk_app_id, "identifier": self.admin, "usersig": self.user_sig(self.admin),
            "random": secrets.randbelow(2**31), "contenttype": "json"})
        return _post(f"{self.api_url}/{command}?{query}", json.dumps(body or {}).encode())


class Rong:
    """RongCloud."""

    def __init__(self, realm):
        of = realm.settings
        self._realm = realm
        self.app_key, self.app_secret = of["RONG_APPKEY"], of["RONG_APPSECRET"]
        self.api_url, self.navigator = of["RONG_API"], of.get("RONG_NAVI")

    def call(self, path, form=None):
        """Calls the server API, such as /group/create.json."""
        nonce, timestamp = str(secrets.randbelow(2**31)), str(self._realm.clock.get()["now_ms"])
        signature = hashlib.sha1((self.app_secret + nonce + timestamp).encode()).hexdigest()
        headers = {"app-key": self.app_key, "nonce": nonce, "timestamp": timestamp, "signature": signature,
                   "content-type": "application/x-www-form-urlencoded"}
        return _post(self.api_url + path, urllib.parse.urlencode(form or {}, doseq=True).encode(), headers)

    def user_token(self, user, name=None):
        """A token of a user, who is registered if necessary."""
        return self.call("/user/getToken.json", {"userId": user, "name": name or user})["token"]
