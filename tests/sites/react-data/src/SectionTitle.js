export const SectionTitle = (props) => {
  return (
    <div>
      {props.preTitle && <div className="eyebrow">{props.preTitle}</div>}
      {props.title && <h2>{props.title}</h2>}
      {props.children && <p>{props.children}</p>}
    </div>
  )
}
