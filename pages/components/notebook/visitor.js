// Keeps the visitor's key in a cookie. A key that is there already, e.g. from another tab, wins and is sent back.
export default function ({ data, setStateValue }) {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${data.name}=`));
  const key = found?.split("=")[1] ?? data.key;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.name}=${key}; Path=/; Max-Age=34560000; SameSite=Lax${secure}`;
  if (key !== data.key) setStateValue("key", key);
}
